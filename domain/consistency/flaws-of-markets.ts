import type { FindingResource } from '../../schemas/consistency/consistency.js';
import type { Kinds } from './flaw-kinds.js';

const app = (seen: { app: number }): FindingResource => ({ type: 'app', id: seen.app });
const market = (seen: { market: number }): FindingResource => ({ type: 'market', id: seen.market });
const inMarket = { section: 'markets', of: (seen: { market: number }) => seen.market } as const;
const ofApp = { ...inMarket, resource: app } as const;
const ofMarket = { ...inMarket, resource: market } as const;

/** What may be wrong with apps, by their documents, and with what lies in marketplaces. */
export const marketFlaws = {
  app_abandoned: {
    ...ofApp,
    what: 'An app is being published or removed, and no operation is at work on it',
    detail: ({ state }) => `It is ${state}, and no operation is at work on it.`,
    repair: 'calls it ERROR, from where it is published again, or removed',
    advice: null,
  },
  app_operation_stale: {
    ...ofApp,
    what: 'An app names an operation as at work on it that has ended or does not exist',
    detail: ({ op }) => `It names operation ${op}, which has ended or does not exist.`,
    repair: 'takes the name off',
    advice: null,
  },
  app_wanted_stale: {
    ...ofApp,
    what: 'An app is kept for a deletion that has ended or does not exist',
    detail: ({ op }) => `It is kept for operation ${op}, which has ended or does not exist.`,
    repair: 'takes the name off',
    advice: null,
  },
  app_export_stale: {
    ...ofApp,
    part: ({ op }) => op,
    what: 'An app is kept for an export that has ended or does not exist',
    detail: ({ op }) => `It is kept for export ${op}, which has ended or does not exist.`,
    repair: 'takes the name off: it may be removed again when nothing else is made of it',
    advice: null,
  },
  app_without_bytes: {
    ...ofApp,
    part: ({ market: id }) => id,
    what: 'An app may be exported, and its marketplace has not all of its bytes, or others than were published',
    detail: ({ market: id, lacking }) =>
      `Marketplace ${id} does not have what was published of it: ${lacking.join(', ')}.`,
    repair: null,
    advice:
      'If many lack theirs, see that the directory or bucket is the right one. Put the bytes back from a backup, or remove the app and publish it anew: arcus app delete <app>',
  },
  app_bytes_orphaned: {
    ...ofMarket,
    part: ({ key }) => key,
    what: 'A marketplace has the bytes of an app of which nobody knows: as after MongoDB was put back from a backup, or where another Arcus publishes in the same bucket or directory',
    detail: ({ key, bytes, whole }) =>
      `It has ${bytes} bytes as ${key}, ${whole ? 'whole' : 'of which some are yet to come'}, and there is no such app.`,
    repair: null,
    advice: 'See whether it is of another Arcus. Where it is of none, remove it from the bucket or directory yourself',
  },
  market_unreachable: {
    ...ofMarket,
    what: 'A marketplace does not answer; what it has of its apps is not judged',
    detail: ({ name, error }) => `${name} does not answer: ${error}`,
    repair: null,
    advice: 'Mend it, or disable it, and check again: arcus market show <market>',
  },
  image_app_stale: {
    section: 'images',
    of: ({ image }) => image,
    resource: ({ image }) => ({ type: 'image', id: image }),
    part: ({ app: id }) => id,
    what: 'An image is kept for an app that is not being published of it any more',
    detail: ({ app: id, is }) =>
      `It is kept for app ${id}, which ${is === null ? 'does not exist' : `is ${is}, and no operation publishes it`}.`,
    repair: 'takes the name off; with the last one an image that is in state CLONE becomes READY',
    advice: null,
  },
} as const satisfies Kinds;
