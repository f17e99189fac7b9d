import type { AddressInfo } from 'node:net';
import { fastify } from 'fastify';

/** A fastify route that does nothing, in a process of its own. */
const app = fastify();
app.post('/', () => ({ decision: 'allowed' }));
await app.listen({ port: 0, host: '127.0.0.1' });
process.on('disconnect', () => process.exit(0));
process.send?.(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}`);
