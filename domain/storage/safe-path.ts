/** Whether a path, with no symbolic link in it, is that of a directory or of what is below it. */
export const isWithin = (directory: string, path: string): boolean =>
  path === directory || path.startsWith(directory.endsWith('/') ? directory : `${directory}/`);

/** Whether a path may be looked at at all: absolute, and as it would be written without `.`, `..`, double slashes or zeros. */
export const isPlainPath = (path: string): boolean =>
  path.startsWith('/') &&
  !path.includes('\0') &&
  path
    .slice(1)
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..');
