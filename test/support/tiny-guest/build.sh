#!/bin/sh
# build.sh KERNEL-ROOT OUT: a disk image that boots in seconds: the kernel of a Debian package, busybox, and an init that does as it is told by its context.
set -eu
root=$1; out=$2
kernel=$(ls "$root"/boot/vmlinuz-* | head -1); version=${kernel##*/vmlinuz-}
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/i/bin "$work"/i/proc "$work"/i/sys "$work"/i/dev "$work"/i/mnt "$work"/i/lib/modules "$work"/i/tmp "$work"/i/www
cp "$(command -v busybox)" "$work"/i/bin/busybox
depmod -b "$root" "$version" 2>/dev/null || true
: > "$work"/i/modules
for module in virtio_pci virtio_blk virtio_scsi virtio_net virtio_console virtio_balloon virtio_rng ata_piix sd_mod sr_mod isofs ext4 evdev button; do
  modprobe -d "$root" -S "$version" --show-depends "$module" 2>/dev/null | sed -n 's/^insmod \([^ ]*\).*/\1/p' || true
done | awk '!seen[$0]++' | while read -r file; do
  cp "$file" "$work"/i/lib/modules/; basename "$file" >> "$work"/i/modules
done
cp "$(dirname "$0")"/init "$work"/i/init; chmod 755 "$work"/i/init
(cd "$work"/i && find . | cpio -o -H newc --quiet | gzip -9) > "$work"/initrd
size=$(( ( $(stat -c %s "$kernel") + $(stat -c %s "$work"/initrd) ) / 1048576 + 4 ))
dd if=/dev/zero of="$work"/disk bs=1M count=$size status=none
mformat -i "$work"/disk -F -v ARCUS :: 2>/dev/null || mformat -i "$work"/disk -v ARCUS ::
mcopy -i "$work"/disk "$kernel" ::/kernel; mcopy -i "$work"/disk "$work"/initrd ::/initrd
printf 'SERIAL 0 115200\nDEFAULT a\nPROMPT 0\nTIMEOUT 0\nLABEL a\n KERNEL kernel\n INITRD initrd\n APPEND console=ttyS0 quiet panic=5 rdinit=/init\n' > "$work"/syslinux.cfg
mcopy -i "$work"/disk "$work"/syslinux.cfg ::/syslinux.cfg
syslinux --install "$work"/disk
qemu-img convert -q -f raw -O qcow2 "$work"/disk "$out"
