import type { ControlClient } from './control-client.js';

/** What the commands share: the simulator they speak to, and how they show an answer. */
export type CommandContext = {
  client(): ControlClient;
  /** The value with `-o json`, else the text. */
  show(value: unknown, text: string): void;
};
