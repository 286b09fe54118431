import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes a program `power` for a directory of fencing: it turns hosts of a simulator off and on. Returns the method of a policy. */
export function powerProgram(directory: string, { url, token }: { url: string; token: string }, timeout = 20) {
  const path = join(directory, 'power');
  writeFileSync(
    path,
    `#!${process.execPath}
const [, , verb, host] = process.argv;
const headers = { authorization: 'Bearer ${token}', 'content-type': 'application/json' };
const ask = async (path, rest = {}) => {
  const answer = await fetch('${url}/hosts' + path, { headers, ...rest });
  if (!answer.ok) process.exit(1);
  return answer;
};
const turn = (dead) => ask('/' + host + '/faults', { method: 'PUT', body: JSON.stringify({ dead }) });
const status = async () => {
  const { items } = await (await ask('')).json();
  const found = items.find(({ name }) => name === host);
  if (!found) process.exit(1);
  console.log(found.faults.dead ? 'off' : 'on');
};
verb === 'status' ? status() : turn(verb === 'off');
`,
  );
  chmodSync(path, 0o755);
  return { kind: 'command', program: 'power', timeout } as const;
}
