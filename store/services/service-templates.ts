import type { Connection } from 'mongoose';
import type { Ownership } from '../../schemas/common/common.js';
import { limits } from '../../schemas/common/limits.js';
import { firstRevision, type PastRevision, type ServiceTemplate } from '../../schemas/services/service-template.js';
import type { DocumentStore } from '../documents.js';
import { modelOf, ownershipFields } from '../mongo/model.js';
import { type Transaction, within } from '../mongo/transaction.js';

type Body = ServiceTemplate['body'];

export function createServiceTemplateStore(connection: Connection, kept: DocumentStore<'service_template'>) {
  modelOf<PastRevision>(connection, 'service_template_revisions', String, [
    { fields: { template: 1, revision: -1 }, options: { unique: true } },
  ]);
  const past = connection.collection<PastRevision>('service_template_revisions');
  return {
    ...kept,
    /** Gives a template another body: what it was is kept as a revision, and nothing of that changes any more. */
    async revise(present: ServiceTemplate, body: Body, transaction: Transaction): Promise<ServiceTemplate | null> {
      const { _id: template, revision = firstRevision, revised_at, created_at } = present;
      await past.insertOne(
        { template, revision, body: present.body, created_at: revised_at ?? created_at },
        { ignoreUndefined: true, ...within(transaction) },
      );
      await past.deleteMany({ template, revision: { $lte: revision - limits.revisions.most } }, within(transaction));
      const change = { name: body.name, body, revision: revision + 1, revised_at: new Date() };
      return kept.replace(template, change, transaction);
    },
    /** What it was before, the newest first, without the bodies. */
    pastOf: (template: number) =>
      past
        .aggregate<Omit<PastRevision, 'body'> & { roles: number }>([
          { $match: { template } },
          { $sort: { revision: -1 } },
          { $project: { _id: 0, template: 1, revision: 1, created_at: 1, roles: { $size: '$body.roles' } } },
        ])
        .toArray(),
    pastRevision: (template: number, revision: number): Promise<PastRevision | null> =>
      past.findOne({ template, revision }, { projection: { _id: 0 } }),
    async remove(id: number, transaction: Transaction): Promise<void> {
      await kept.remove(id, transaction);
      await past.deleteMany({ template: id }, within(transaction));
    },
    /** One of this owner whose roles name a VM template; null: there is none. */
    ofOwnerUsing: (
      vmTemplate: number,
      uid: number,
      transaction: Transaction,
    ): Promise<(Ownership & Pick<ServiceTemplate, '_id' | 'name'>) | null> =>
      kept.model
        .findOne({ 'body.roles.vm_template': vmTemplate, uid }, { name: 1, ...ownershipFields }, within(transaction))
        .lean<Ownership & Pick<ServiceTemplate, '_id' | 'name'>>()
        .exec(),
  };
}
export type ServiceTemplateStore = ReturnType<typeof createServiceTemplateStore>;
