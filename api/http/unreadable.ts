import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { Problem, problems } from '../../domain/problems.js';
import { limits } from '../../schemas/common/limits.js';
import { problemBody } from './problem-handler.js';

const headLimit = limits.head.most;

/** Answers what is no request to Node, and so never reaches the app, as the app would: by a problem. */
export function answerUnreadable(server: Server): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    answer(socket, problemOf(error.code));
  });
}

const problemOf = (code: string | undefined): Problem =>
  code === 'HPE_HEADER_OVERFLOW'
    ? new Problem('headers_too_large', `The address and the headers may have ${headLimit / 1024} KiB at most.`)
    : new Problem('invalid_request', 'This is not an HTTP request that can be read, or it did not arrive in time.');

function answer(socket: Duplex, problem: Problem): void {
  const request_id = randomUUID();
  const body = JSON.stringify(problemBody(problem, { instance: '/', request_id }));
  const { status, title } = problems[problem.code];
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    'Connection: close',
    `X-Request-Id: ${request_id}`,
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
