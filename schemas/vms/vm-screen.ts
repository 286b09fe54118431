import { z } from 'zod';
import { ObjectId, Timestamp } from '../common/common.js';

/** By which a screen is opened once, as stored: of the secret there is the hash alone. */
export type ScreenToken = {
  /** SHA-256: a secret of 256 random bits needs no salt. */
  _id: string;
  vm: number;
  /** Who has asked for it: whoever shows it sees what that user may see. */
  uid: number;
  expires_at: Date;
};

export const VmScreenResource = z
  .object({
    vm: ObjectId,
    path: z
      .string()
      .describe(
        'Of a WebSocket on this server that speaks RFB (VNC), with a token that opens it once, until `expires_at`',
      ),
    password: z.string().nullable().describe('By which its guest’s screen is opened, then; null: it asks for none'),
    expires_at: Timestamp,
  })
  .meta({ id: 'VmScreen' });
export type VmScreenResource = z.infer<typeof VmScreenResource>;
