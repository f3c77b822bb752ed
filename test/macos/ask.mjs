// @ts-check
/** A stand-in command: asks the simulated Mac what the real one would print, prints it, and ends as it would. */
import { connect } from 'node:net';

const [name, ...args] = process.argv.slice(2);
const socket = connect(process.env['SIMULATED_MAC_SOCKET'] ?? '');
let text = '';
socket.setEncoding('utf8');
socket.on('data', (piece) => (text += piece));
socket.on('error', (error) => {
  process.stderr.write(`${name}: the simulated Mac cannot be reached: ${error.message}\n`);
  process.exitCode = 127;
});
socket.on('end', () => {
  if (text === '') return;
  const { code, stdout, stderr } = JSON.parse(text);
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  process.exitCode = code;
});
socket.write(`${JSON.stringify({ kind: 'command', name, args, isRoot: process.env['SIMULATED_MAC_ROOT'] === '1' })}\n`);
