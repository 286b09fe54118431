import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import { Server as TlsServer } from 'node:https';
import { Socket } from 'node:net';
import { type Duplex, pipeline } from 'node:stream';
import type { Express } from 'express';
import { createWebSocketStream, WebSocketServer } from 'ws';
import { limits } from '../../schemas/common/limits.js';

/** What is left of the connection of a request that asks for a WebSocket. */
type Taken = { socket: Socket; head: Buffer };
const asked = new WeakMap<IncomingMessage, Taken>();
const open = new WeakMap<Server, Set<Duplex>>();

/**
 * Requests for WebSockets go the way of all others: a face refuses them, or a route of it takes their connection over (`handThrough`). What asks for another protocol
 * (HTTP/2 without TLS, as Java’s client does of every server) is answered as if it had not: Node would leave it without an answer as soon as
 * anybody listens for upgrades.
 */
export function takeUpgrades(server: Server, app: Express): void {
  const sockets = new Set<Duplex>();
  open.set(server, sockets);
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (!(socket instanceof Socket)) return socket.destroy();
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') return readAgain(server, request, socket, head);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket)).on('error', () => {});
    asked.set(request, { socket, head });
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    response.once('finish', () => {
      if (asked.has(request)) socket.end();
    });
    app(request, response);
  });
}

/** The same request without what asks for another protocol, on the same connection. */
function readAgain(server: Server, request: IncomingMessage, socket: Socket, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    if (!/^(connection|upgrade|http2-settings)$/i.test(name)) lines.push(`${name}: ${value}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit(server instanceof TlsServer ? 'secureConnection' : 'connection', socket);
}

/** Those that are open have no end of their own. */
export function endUpgraded(server: Server): void {
  for (const socket of open.get(server) ?? []) socket.destroy();
}

export const asksForWebSocket = (request: IncomingMessage): boolean => asked.has(request);

const webSockets = new WebSocketServer({
  ...{ noServer: true, perMessageDeflate: false, maxPayload: limits.screenMessage.most },
  // What noVNC asks for.
  handleProtocols: (protocols) => (protocols.has('binary') ? 'binary' : false),
});

/** Answers with a WebSocket whose binary messages are these bytes, until either side ends. */
export function handThrough(request: IncomingMessage, response: ServerResponse, bytes: Duplex): void {
  const taken = asked.get(request);
  if (!taken || taken.socket.destroyed) {
    bytes.destroy();
    return;
  }
  const { socket, head } = taken;
  asked.delete(request);
  response.detachSocket(socket);
  bytes.on('error', () => {});
  socket.once('close', () => bytes.destroy());
  webSockets.handleUpgrade(request, socket, head, (webSocket) => {
    const messages = createWebSocketStream(webSocket);
    bytes.once('close', () => webSocket.close());
    pipeline(messages, bytes, () => bytes.destroy());
    pipeline(bytes, messages, () => bytes.destroy());
    // For the log, and for who counts: its answer has been given.
    response.statusCode = 101;
    response.emit('finish');
  });
}
