/** Bytes of one MB, wherever sizes are told in MB. */
export const mebi = 2 ** 20;
