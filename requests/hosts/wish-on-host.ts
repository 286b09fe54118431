import type { Act } from '../../domain/acts/acts.js';
import { defaultCluster } from '../../schemas/hosts/cluster.js';
import type { Host } from '../../schemas/hosts/host.js';
import type { Store } from '../../store/store.js';
import { whyLost } from '../acts/acts.js';
import type { Asked } from '../operations/admit.js';

/** What all operations on a host have in common: whoever asks for one administers it. */
export const wishOnHost = (store: Store, host: Host, act: Act, { request, retryOf }: Omit<Asked, 'admission'>) => ({
  resource: { type: 'host' as const, id: host._id },
  cluster: host.cluster_id ?? defaultCluster,
  name: host.name,
  owner: host,
  right: 'admin' as const,
  ...(retryOf !== undefined && { retryOf }),
  request,
  refusal: () => whyLost(store, act, { type: 'host', id: host._id }),
});
