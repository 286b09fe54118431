import type { MarketplaceResource } from '../../../schemas/market/marketplace.js';
import { ofOneadmin } from '../identity/owner-examples.js';

export const corporate: MarketplaceResource = {
  id: 100,
  name: 'corporate',
  ...ofOneadmin,
  description: 'What we build ourselves',
  market_mad: 'http',
  state: 'READY',
  http: { base_url: 'http://market.example.org/apps', public_dir: '/srv/market' },
  s3: null,
  one: null,
  capacity: null,
  warnings: [],
  error: null,
  monitored_at: null,
  created_at: '2026-05-04T09:00:00.000Z',
};
