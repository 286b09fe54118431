import type { Express } from 'express';
import request from 'supertest';
import type { Method } from '../world.js';

/** How a client sends what it sends: its headers, and the body that it has with GET. */
export type ClientKind = 'ruby 5.0.2' | 'ruby 6.6.0' | 'ruby 7.4.0' | 'goca';

const ruby = (version: string, type: string) => ({
  headers: {
    'User-Agent': `OpenNebula ${version} (CLI)`,
    Accept: '*/*',
    'Accept-Encoding': 'gzip;q=1.0,deflate;q=0.6,identity;q=0.3',
    'Content-Type': type,
  },
  /** Ruby's clients print JSON over several lines. */
  print: (body: unknown) => JSON.stringify(body, null, 2),
  nothing: undefined,
});

const clients = {
  'ruby 5.0.2': ruby('5.0.2', 'application/x-www-form-urlencoded'),
  'ruby 6.6.0': ruby('6.6.0', 'application/x-www-form-urlencoded'),
  'ruby 7.4.0': ruby('7.4.0', 'application/json'),
  goca: {
    headers: { 'User-Agent': 'Go-http-client/1.1', 'Content-Type': 'application/json; charset=utf-8' },
    print: (body: unknown) => JSON.stringify(body),
    nothing: 'null',
  },
} as const;

/** One client of one user, whose password is his name. */
export const clientOf =
  (app: () => Express, kind: ClientKind, who = 'oneadmin') =>
  (method: Exclude<Method, 'patch'>, path: string, body?: unknown): request.Test => {
    const { headers, print, nothing } = clients[kind];
    const asked = request(app())[method](path).auth(who, who).set(headers);
    const sent = body === undefined ? nothing : print(body);
    return sent === undefined ? asked : asked.serialize((text) => text).send(sent);
  };

export const clientKinds = Object.keys(clients).filter((name): name is ClientKind => Object.hasOwn(clients, name));
