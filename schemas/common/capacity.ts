import { z } from 'zod';

/** CPU in hundredths of a core (100 = one core), memory in MB: integers, so that sums never drift. */
export const Capacity = z.object({ cpu: z.int().min(0), memory: z.int().min(0) });
export type Capacity = z.infer<typeof Capacity>;
