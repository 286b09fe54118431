#!/bin/sh
# build.sh ROOT VERSION OUT: a disk image that boots in seconds, of the kernel of that version below ROOT (a machine, or the package of a kernel), of busybox,
# and of an init that does as it is told by its context.
set -eu
root=$1; version=$2; out=$3
PATH="$PATH:/usr/sbin:/sbin"
kernel=$root/boot/vmlinuz-$version
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/i/bin "$work"/i/proc "$work"/i/sys "$work"/i/dev "$work"/i/mnt "$work"/i/lib/modules "$work"/i/tmp "$work"/i/www
cp "$(command -v busybox)" "$work"/i/bin/busybox
# A package has no index of its modules yet; a machine has, and nobody here may write it.
[ -e "$root/lib/modules/$version/modules.dep" ] || depmod -b "$root" "$version" 2>/dev/null || true
: > "$work"/i/modules
for module in virtio_pci virtio_blk virtio_scsi virtio_net virtio_console virtio_balloon virtio_rng ata_piix ahci sd_mod sr_mod isofs ext4 evdev button; do
  modprobe -d "$root" -S "$version" --show-depends "$module" 2>/dev/null | sed -n 's/^insmod \([^ ]*\).*/\1/p' || true
done | awk '!seen[$0]++' | while read -r file; do
  name=$(basename "$file" | sed 's/\.ko.*/.ko/')
  # busybox loads none that are packed.
  case $file in
    *.gz) gzip -dc "$file" ;;
    *.xz) xz -dc "$file" ;;
    *.zst) zstd -dcq "$file" ;;
    *) cat "$file" ;;
  esac > "$work/i/lib/modules/$name"
  echo "$name" >> "$work"/i/modules
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
