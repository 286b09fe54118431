import type { Marketplace } from '../../schemas/market/marketplace.js';

/** What of a marketplace is not done as it says, for whoever has written that. */
export const marketWarnings = ({ s3 }: Pick<Marketplace, 's3'>): string[] =>
  s3 === undefined || s3.signature_version === 'v4'
    ? []
    : [
        `Requests are signed by version 4: version 2, which ${s3.signature_version} stands for, is not spoken any more. A server that knows that alone refuses them.`,
      ];
