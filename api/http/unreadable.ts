import { randomUUID } from 'node:crypto';
import { type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { Problem } from '../../domain/problems.js';
import { limits } from '../../schemas/common/limits.js';
import type { RefusalOf } from './refusal.js';

const headLimit = limits.head.most;

/** Answers what is no request to Node, and so never reaches the app, as the app would. */
export function answerUnreadable(server: Server, refusalOf: RefusalOf): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    answer(socket, problemOf(error.code), refusalOf);
  });
}

const problemOf = (code: string | undefined): Problem =>
  code === 'HPE_HEADER_OVERFLOW'
    ? new Problem('headers_too_large', `The address and the headers may have ${headLimit / 1024} KiB at most.`)
    : new Problem('invalid_request', 'This is not an HTTP request that can be read, or it did not arrive in time.');

function answer(socket: Duplex, problem: Problem, refusalOf: RefusalOf): void {
  const request_id = randomUUID();
  const { status, type, body } = refusalOf(problem, { instance: '/', request_id, headers: {} });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    `X-Request-Id: ${request_id}`,
    `Content-Type: ${type}; charset=utf-8`,
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
