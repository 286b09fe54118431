import { execa } from 'execa';

/** The libvirt of this machine for root, else that of the user, which virsh starts. */
export const usualUri = (): string => (process.getuid?.() === 0 ? 'qemu:///system' : 'qemu:///session');

/** What a libvirt says to one command of virsh; null: it refuses, or does not answer. */
export async function askLibvirt(uri: string, ...words: string[]): Promise<string | null> {
  const { exitCode, stdout } = await execa('virsh', ['--connect', uri, ...words], {
    ...{ reject: false, stdin: 'ignore', timeout: 20_000, env: { LC_ALL: 'C.UTF-8' } },
  });
  return exitCode === 0 ? stdout : null;
}

/** Whether guests run on its processors: not every machine, nor every user, has that. */
export const hasKvm = async (uri: string): Promise<boolean> =>
  (await askLibvirt(uri, 'domcapabilities', '--virttype', 'kvm')) !== null;
