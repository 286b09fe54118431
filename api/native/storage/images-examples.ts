import type { Why } from '../../../schemas/operations/why.js';
import type { ImageResource } from '../../../schemas/storage/image.js';
import { ofOneadmin } from '../identity/owner-examples.js';
import { ids } from '../operations/operations-examples.js';

/** As it is when it has been made. */
export const data: ImageResource = {
  id: 0,
  name: 'data',
  ...ofOneadmin,
  description: '',
  attributes: {},
  lock: null,
  type: 'DATABLOCK',
  datastore_id: 1,
  persistent: false,
  state: 'READY',
  reason: null,
  source: 'empty, 10 MB',
  size_mb: 10,
  format: 'qcow2',
  virtual_size: 10_485_760,
  bytes: 196_624,
  published: null,
  vms: [],
  clones: [],
  apps: [],
  upload: null,
  copies: [],
  snapshots: [],
  operation: null,
  created_at: '2026-05-04T09:10:00.000Z',
};

export const whyData: Why = {
  text: 'Image 0 (data) is READY: VMs may use it.',
  resource: { type: 'image', id: 0, name: 'data', state: 'READY' },
  operation: ids.image,
  operation_state: 'succeeded',
  waiting_for: null,
  failures: [],
  actions: [],
  asked_engine: true,
};
