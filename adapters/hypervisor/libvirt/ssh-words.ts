/** The words by which ssh reaches the host of a `qemu+ssh` URI as libvirt does: nobody is asked, and its key is known. `more`: other options. */
export function sshLogin(url: URL, more: readonly string[] = []): string[] {
  const keyfile = url.searchParams.get('keyfile');
  return [
    ...['-T', '-e', 'none', '-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=yes', '-o', 'ConnectTimeout=10'],
    ...['-o', 'ServerAliveInterval=5', '-o', 'ServerAliveCountMax=3'],
    ...(url.port === '' ? [] : ['-p', url.port]),
    ...(url.username === '' ? [] : ['-l', decodeURIComponent(url.username)]),
    ...(keyfile === null ? [] : ['-i', keyfile]),
    ...more,
    ...['--', url.hostname.replace(/^\[|\]$/g, '')],
  ];
}
