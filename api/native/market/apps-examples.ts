import type { AppResource } from '../../../schemas/market/app.js';
import type { Why } from '../../../schemas/operations/why.js';
import { ofOneadmin } from '../identity/owner-examples.js';
import { ids } from '../operations/operations-examples.js';

/** As it is when it is published. */
const key = 'marketapp-0-9e107d9d372bb6826bd81d3542a419d6';
const part = {
  ...{ name: 'data', source: `http://market.example.org/apps/${key}`, bytes: 196_624, format: 'qcow2' },
  md5: '45565586613a1f133514520cded87457',
  sha256: '8e4393bd7622d058d55cd02052ea253c3781624faf5074ebc74ffb09f931fbaa',
  image_type: 'DATABLOCK' as const,
};

export const dataApp: AppResource = {
  id: 0,
  name: 'data',
  ...ofOneadmin,
  description: 'What every build needs',
  version: '1.0',
  publisher: 'oneadmin',
  tags: ['data'],
  market_id: 101,
  type: 'IMAGE',
  state: 'READY',
  reason: null,
  origin_id: 0,
  source: part.source,
  bytes: 196_624,
  size_mb: 1,
  virtual_size: 20_971_520,
  md5: part.md5,
  sha256: part.sha256,
  format: 'qcow2',
  image_type: 'DATABLOCK',
  parts: [part],
  app_template: {},
  vm_template: { CPU: 1, MEMORY: 512 },
  templates: [],
  exports: [],
  operation: null,
  created_at: '2026-05-04T11:10:00.000Z',
};

export const whyDataApp: Why = {
  text: 'App 0 (data) is READY: it may be exported.',
  resource: { type: 'app', id: 0, name: 'data', state: 'READY' },
  operation: ids.publication,
  operation_state: 'succeeded',
  waiting_for: null,
  failures: [],
  actions: [],
  asked_engine: true,
};
