import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { close, listen } from '../../../api/http/serve.js';
import { createShell } from '../../../api/http/shell.js';
import { oneflowFace } from '../../../api/oneflow/oneflow-face.js';
import { type FlowSurroundings, runFlow } from '../../../cli/oneflow/flow-program.js';
import { createWorld } from '../../api/world.js';
import { idleEngine } from '../../support/idle-engine.js';

export type FlowWorld = Awaited<ReturnType<typeof startFlowWorld>>;

/** OneFlow's face over a database, on a port, for its commands; nothing is carried out. */
export async function startFlowWorld() {
  const world = await createWorld({ withTemporal: false, engine: idleEngine });
  const face = oneflowFace(world.parts);
  const server = await listen(createShell(face, world.parts), {
    ...{ port: 0, address: '127.0.0.1', refusalOf: face.refusalOf },
  });
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const directory = mkdtempSync(join(tmpdir(), 'oneflow-test-'));
  const file = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };
  const auth = { ONEFLOW_URL: url, ONE_AUTH: file('one_auth', 'oneadmin:oneadmin\n') };

  const given = (line: string, environment: Record<string, string>, more: Partial<FlowSurroundings>) => {
    const [name, ...words] = line.split(' ');
    return runFlow(name === 'oneflow' ? 'oneflow' : 'oneflow-template', words, {
      environment: { ...auth, ...environment },
      ...{ out: () => {}, err: () => {}, now: () => new Date() },
      ...more,
    });
  };

  return {
    ...{ world, url, directory, file },

    /** A command line, with what it prints. */
    async run(line: string, environment: Record<string, string> = {}) {
      const printed = { out: '', err: '' };
      const to = (stream: 'out' | 'err') => (text: string) => {
        printed[stream] += `${text}\n`;
      };
      const code = await given(line, environment, { out: to('out'), err: to('err') });
      return { code, ...printed };
    },

    /** What a terminal is given by a command that does not end, until it has been given so much. */
    async watch(line: string, most: number): Promise<string[]> {
      const seen: string[] = [];
      const closed = new Error('the terminal was closed');
      const clear = () => void seen.push('clear');
      const out = (text: string) => {
        if (seen.push(text) >= most) throw closed;
      };
      await given(line, {}, { out, clear }).catch((error: unknown) => {
        if (error !== closed) throw error;
      });
      return seen;
    },

    async stop(): Promise<void> {
      await close(server);
      await world.stop();
      rmSync(directory, { recursive: true });
    },
  };
}
