/** What a guest or a hypervisor has written must not steer the terminal. */
export const printable = (text: string): string => text.replaceAll(/\p{Cc}/gu, ' ');
