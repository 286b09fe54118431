import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { pinoHttp } from 'pino-http';

/** What stands in an address and opens something. */
const withoutTokens = (url: string): string => url.replace(/([?&]token=)[^&]*/gi, '$1…');

/** Gives each request its id, the client's own when it sent a sane one, and logs one line when it has been answered. */
export const logRequests = (logger: Logger) =>
  pinoHttp({
    logger,
    quietReqLogger: true,
    genReqId: (request, response) => {
      const sent = request.headers['x-request-id'];
      const id = typeof sent === 'string' && /^[\w.:-]{1,64}$/.test(sent) ? sent : randomUUID();
      response.setHeader('X-Request-Id', id);
      return id;
    },
    autoLogging: { ignore: ({ url }) => url === '/healthz' || url === '/readyz' || url === '/metrics' },
    customLogLevel: (_request, response) => (response.statusCode >= 500 ? 'warn' : 'info'),
    customSuccessMessage: ({ method }, { statusCode }) => `${method} ${statusCode}`,
    customErrorMessage: ({ method }, { statusCode }) => `${method} ${statusCode}`,
    serializers: {
      req: ({ method, url }: { method: string; url: string }) => ({ method, url: withoutTokens(url).slice(0, 1_000) }),
      res: ({ statusCode }: { statusCode: number }) => ({ status: statusCode }),
    },
  });
