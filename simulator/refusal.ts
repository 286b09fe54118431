import type { SimulatorRefusalCode } from '../schemas/hosts/simulator.js';

/** Why a request gets no good answer: what the HTTP face turns into `{code, detail}`. The detail is a sentence. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: SimulatorRefusalCode;

  constructor(code: SimulatorRefusalCode, detail: string) {
    super(detail);
    this.code = code;
  }
}
