import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import mongoose from 'mongoose';
import { floorNamespace, floorQueue } from './input.js';
import { floorSteps } from './steps.js';

/** A bare worker: `node worker.js <Temporal's host:port>`, the URI of the floor's database in ARCUS_MONGODB_URI. Says `polling` when it does. */
async function main([temporal]: readonly string[], mongodb = process.env.ARCUS_MONGODB_URI): Promise<void> {
  if (temporal === undefined || mongodb === undefined) throw new Error('two addresses are needed');
  const quiet = { log() {}, trace() {}, debug() {}, info() {}, warn: console.error, error: console.error };
  Runtime.install({ logger: quiet });
  const bundled = bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('workflows.js', import.meta.url)),
    logger: quiet,
  });
  const [workflowBundle, connection, client] = await Promise.all([
    bundled,
    NativeConnection.connect({ address: temporal }),
    mongoose.mongo.MongoClient.connect(mongodb),
  ]);
  const worker = await Worker.create({
    connection,
    namespace: floorNamespace,
    taskQueue: floorQueue,
    workflowBundle,
    activities: floorSteps(client.db()),
  });
  console.log('polling');
  await worker.run();
  await Promise.all([connection.close(), client.close()]);
}

await main(process.argv.slice(2));
