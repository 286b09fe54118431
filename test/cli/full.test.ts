import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { built } from '../../adapters/process/checkout.js';

// What is printed where nothing can be written any more, as on a disk that is full.

const arcus = (command: string) =>
  execa('bash', ['-c', `${JSON.stringify(process.execPath)} ${JSON.stringify(built('arcus/main.js'))} ${command}`], {
    reject: false,
  });

describe.skipIf(process.platform !== 'linux')('an answer that cannot be written', () => {
  it('is a failure, told in a sentence', async () => {
    for (const command of ['--help', 'completion bash', 'context list']) {
      const { exitCode, stderr } = await arcus(`${command} > /dev/full`);
      expect({ command, exitCode }).toEqual({ command, exitCode: 1 });
      expect(stderr).toMatch(/^arcus: What there is to tell cannot be written to standard output: ENOSPC: [^\n]*\.$/);
    }
  });

  it('is none where its reader has gone', async () => {
    const { exitCode, stderr } = await arcus(`completion bash | true; exit \${PIPESTATUS[0]}`);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  it('is a complaint whose exit code tells it all the same', async () => {
    expect((await arcus('vm show 2> /dev/full')).exitCode).toBe(2);
  });
});
