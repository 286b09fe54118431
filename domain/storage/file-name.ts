const longest = 255;

/** Whether this names a file of one directory wherever it is put: it leads to no other, and is one line. */
export const isFileName = (name: string): boolean =>
  name !== '' &&
  name !== '.' &&
  name !== '..' &&
  !/[\p{Cc}/\\]/u.test(name) &&
  new TextEncoder().encode(name).length <= longest;
