/** Programs of the system that drive hosts of libvirt, each with the package of Debian that has it. */
export const libvirtPrograms = {
  virsh: 'libvirt-clients',
  xorriso: 'xorriso',
} as const;

/** Those by which this machine is such a host. */
export const libvirtHostPrograms = {
  libvirtd: 'libvirt-daemon-system',
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-img': 'qemu-utils',
} as const;

/** Those of which the sample's guest is made. */
export const guestPrograms = {
  busybox: 'busybox-static',
  cpio: 'cpio',
  modprobe: 'kmod',
  syslinux: 'syslinux',
  mformat: 'mtools',
  'qemu-img': 'qemu-utils',
} as const;
