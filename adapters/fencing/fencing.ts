import { fencedByCommand } from './command.js';
import type { Fencing } from './port.js';

/** How each kind of method is carried out. */
export const fencing = ({ directory }: { directory: string | undefined }): Fencing => ({
  async off(host, method, signal) {
    switch (method.kind) {
      case 'command':
        return fencedByCommand(directory, host, method, signal);
    }
  },
});
