import type { z } from 'zod';
import { RefusalBody } from '../schemas/hosts/simulator.js';
import type { SimulatorAccess } from './kept-address.js';

/** What a command ends with instead of an answer: one sentence for standard error. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
}

export type ControlClient = {
  ask<T extends z.ZodType>(
    answer: T,
    method: 'GET' | 'PUT' | 'DELETE',
    path: string,
    body?: object,
  ): Promise<z.infer<T>>;
};

/** Speaks to the simulator at an address. Throws CommandFailure when it cannot be reached or refuses. */
export function controlClient({ url, token }: SimulatorAccess): ControlClient {
  if (url === undefined) {
    throw new CommandFailure('Where is the simulator? Give --url, or set ARCUS_SIMULATOR_URL.');
  }
  if (!URL.canParse(url)) throw new CommandFailure(`${url} is not an address such as http://127.0.0.1:9870.`);
  return {
    async ask(answer, method, path, body) {
      const { status, text } = await send(url, token, method, path, body);
      if (status < 300) return answer.parse(text === '' ? undefined : jsonOf(text, url));
      const refusal = RefusalBody.safeParse(jsonOf(text, url));
      throw new CommandFailure(refusal.data?.detail ?? `${url} answered ${status}: is it a simulator?`);
    },
  };
}

async function send(
  url: string,
  token: string | undefined,
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; text: string }> {
  try {
    const headers = { ...(token !== undefined && { authorization: `Bearer ${token}` }) };
    const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
    const response = await fetch(new URL(path, url), init);
    return { status: response.status, text: await response.text() };
  } catch (cause) {
    throw new CommandFailure(`No simulator answers at ${url}: is it running?`, { cause });
  }
}

function jsonOf(text: string, url: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CommandFailure(`${url} gave an answer that is not JSON: is it a simulator?`, { cause });
  }
}
