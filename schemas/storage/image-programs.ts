/** Programs of the system that look into images and unpack them, each with the package of Debian that has it. */
export const imagePrograms = {
  'qemu-img': 'qemu-utils',
  bzip2: 'bzip2',
  xz: 'xz-utils',
  zstd: 'zstd',
} as const;

/** Programs of the system that reach datastores on other machines, likewise. */
export const sshPrograms = {
  ssh: 'openssh-client',
  'ssh-agent': 'openssh-client',
  'ssh-add': 'openssh-client',
} as const;
