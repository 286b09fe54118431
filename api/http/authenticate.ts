import type { RequestHandler } from 'express';
import { Problem } from '../../domain/problems.js';
import type { Credentials, Identity } from '../../requests/identity/identity.js';
import { isForeign, isOurName, type OurNames, sourceOf } from '../../schemas/common/request-source.js';

/** `credentialsOf`: how a face is told who asks, by the header Authorization. Everything behind it knows its caller. */
export const authenticate =
  (identity: Pick<Identity, 'authenticate'>, credentialsOf: (header: string) => Credentials): RequestHandler =>
  async (request, _response, next) => {
    request.caller = await identity.authenticate(credentialsOf(request.headers.authorization ?? ''), request.ip ?? '');
    next();
  };

/** A name and the password or a token, by HTTP Basic; undefined: the header is something else. */
export function basicCredentials(header: string): Credentials | undefined {
  const [, encoded] = /^Basic +([A-Za-z0-9+/=_-]+) *$/i.exec(header) ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 1) throw new Problem('not_authenticated', 'The credentials are not of the form name:password.');
  return { name: text.slice(0, colon), secret: text.slice(colon + 1) };
}

/**
 * A browser sends remembered credentials with requests that other sites make it send: those may not change anything. Of a
 * trusted proxy we believe by which name the client has called it, in X-Forwarded-Host.
 */
export const refuseOtherSites: RequestHandler = (request, _response, next) => {
  const { method, headers, host } = request;
  if (!isForeign({ ...sourceOf(method, headers), host })) return next();
  throw new Problem('not_authorized', 'Pages of other sites may not send this request.');
};

/** Refuses what was sent to a name that is not ours, unless a trusted proxy passes it on: it knows its own names. */
export const refuseOtherNames =
  (ours: OurNames): RequestHandler =>
  (request, _response, next) => {
    const { headers, ips, host } = request;
    const passedOn = ips.length > 0;
    if (isOurName(passedOn ? host : headers.host, { ...ours, loopback: ours.loopback && !passedOn })) return next();
    throw new Problem(
      'not_authorized',
      'This server is not called by that name. Use its address, or name it in ARCUS_HOSTS.',
    );
  };
