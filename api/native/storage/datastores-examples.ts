import type { DatastoreResource } from '../../../schemas/storage/datastore.js';
import { ofOneadmin } from '../identity/owner-examples.js';

export const fast: DatastoreResource = {
  id: 100,
  name: 'fast',
  ...ofOneadmin,
  type: 'image',
  ds_mad: 'fs',
  state: 'READY',
  limit_mb: 512000,
  reserved_mb: 0,
  cluster_ids: [0],
  s3: null,
  ssh: null,
  capacity: null,
  error: null,
  monitored_at: null,
  created_at: '2026-05-04T09:00:00.000Z',
};
