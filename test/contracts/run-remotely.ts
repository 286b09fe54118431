import { sshMachine } from '../../adapters/storage/ssh/ssh-machine.js';
import { connectionsGiven } from '../support/given-connection.js';

// Started as a process, to be killed: runs a program on another machine.
const [, , home = '', program = '', ...given] = process.argv;
const machine = sshMachine(await connectionsGiven().ssh(1), home);
process.stdout.write('begins\n');
const ran = await machine.attempt(program, given, new AbortController().signal, { moves: true });
process.stdout.write(`ended ${JSON.stringify(ran)}\n`);
