import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, isGrpcServiceError } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import type { Namespaces } from '../../adapters/engine/access.js';
import { namespaces } from '../../schemas/config.js';

/** gRPC's status codes that are no failure here (https://grpc.io/docs/guides/status-codes). */
const grpc = { notFound: 5, alreadyExists: 6 } as const;

/** Temporal's IndexedValueType (temporal/api/enums/v1/common.proto). */
const indexed = { keyword: 2, int: 3 } as const;

/** The typed search attributes that every workflow carries: what operators filter by in the Temporal UI. */
const searchAttributes = {
  ArcusService: indexed.int,
  ArcusVm: indexed.int,
  ArcusHost: indexed.int,
  ArcusRole: indexed.keyword,
  ArcusZone: indexed.keyword,
  ArcusOwner: indexed.keyword,
  ArcusOperation: indexed.keyword,
} as const;

async function unlessExists(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isGrpcServiceError(error) || error.code !== grpc.alreadyExists) throw error;
  }
}

async function ensureSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const missing = async () => {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    return Object.entries(searchAttributes).filter(([name]) => !(name in (customAttributes ?? {})));
  };
  const toAdd = Object.fromEntries(await missing());
  if (Object.keys(toAdd).length === 0) return;
  await unlessExists(connection.operatorService.addSearchAttributes({ namespace, searchAttributes: toAdd }));
  for (const until = Date.now() + 30_000; (await missing()).length > 0; await sleep(100))
    if (Date.now() > until) throw new Error(`search attributes of namespace ${namespace} did not appear`);
}

async function isThere(connection: Connection, namespace: string): Promise<boolean> {
  try {
    await connection.workflowService.describeNamespace({ namespace });
    return true;
  } catch (error) {
    if (isGrpcServiceError(error) && error.code === grpc.notFound) return false;
    throw error;
  }
}

/** Makes a namespace with its search attributes, unless it is there. Its closed runs are kept `retentionDays` days. */
export async function ensureNamespace(connection: Connection, namespace: string, retentionDays: number): Promise<void> {
  const description = 'Arcus';
  const workflowExecutionRetentionPeriod = msToTs(`${retentionDays} days`);
  // Where rights are checked, whoever may use a namespace may often not make one.
  if (!(await isThere(connection, namespace)))
    await unlessExists(
      connection.workflowService.registerNamespace({ namespace, description, workflowExecutionRetentionPeriod }),
    );
  // The server's parts learn of a new namespace one after the other.
  for (const until = Date.now() + 30_000; ; await sleep(100)) {
    try {
      await ensureSearchAttributes(connection, namespace);
      await connection.workflowService.describeNamespace({ namespace });
      return;
    } catch (error) {
      if (!isGrpcServiceError(error) || error.code !== grpc.notFound || Date.now() > until) throw error;
    }
  }
}

/** Days for which closed runs are kept: an operation's can be looked at for a month, a tick's for a day. */
const retentionDays: Record<keyof typeof namespaces, number> = { operations: 30, ticks: 1 };

/** Makes both namespaces of Arcus with their search attributes, unless they are there. */
export async function ensureNamespaces(connection: Connection, wanted: Namespaces = namespaces): Promise<void> {
  await Promise.all([
    ensureNamespace(connection, wanted.operations, retentionDays.operations),
    ensureNamespace(connection, wanted.ticks, retentionDays.ticks),
  ]);
}
