import { createSocket } from 'node:dgram';
import { connect, createServer, isIPv6 } from 'node:net';
import { createInterface } from 'node:readline';

// A guest, in a network namespace: serves what it is sent by TCP and UDP, asks for that, or keeps a connection that it is asked to use.
const [, , what, host = '', port = '0', from = '0'] = process.argv;

/** How long nothing may come until it is said to be dropped. */
const patience = 400;
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const end = (text: string): never => {
  say(text);
  process.exit(0);
};

switch (what) {
  case 'serve': {
    const ports = port.split(',').map(Number);
    let left = ports.length * 2;
    const ready = (): void => {
      left -= 1;
      if (left === 0) say('ready');
    };
    for (const one of ports) {
      createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(one, host, ready);
      const udp = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
      udp.on('message', (bytes, from) => udp.send(bytes, from.port, from.address));
      udp.bind(one, host, ready);
    }
    break;
  }
  case 'tcp': {
    const socket = connect(Number(port), host, () => socket.write('?'));
    socket.on('data', () => end('answers'));
    socket.on('error', () => end('refused'));
    setTimeout(() => end('silent'), patience);
    break;
  }
  case 'udp': {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    socket.on('message', () => end('answers'));
    socket.bind(Number(from), () => socket.send('?', Number(port), host));
    setTimeout(() => end('silent'), patience);
    break;
  }
  case 'keep': {
    const socket = connect(Number(port), host, () => say('connected'));
    socket.on('data', (bytes) => say(`answers ${bytes.toString()}`));
    socket.on('error', () => end('broken'));
    createInterface({ input: process.stdin }).on('line', (line) => socket.write(line));
    break;
  }
  default:
    end('nothing of the kind');
}
