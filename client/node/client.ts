import { type Client, createClient, type Server } from '../client.js';
import { fetchTrusting, type Trust } from './trusting-fetch.js';
import { whyNot } from './why-not.js';

/** A client on Node.js: it believes over TLS whom it is told to, and finds out why a server does not answer. */
export const clientFor = ({ trust, ...server }: Server & { trust?: Trust | undefined }): Client =>
  createClient(server, { fetch: fetchTrusting(trust), whyNot });
