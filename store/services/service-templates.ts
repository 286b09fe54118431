import type { Ownership } from '../../schemas/common/common.js';
import type { ServiceTemplate } from '../../schemas/services/service-template.js';
import type { DocumentStore } from '../documents.js';
import { ownershipFields } from '../mongo/model.js';
import { type Transaction, within } from '../mongo/transaction.js';

export function createServiceTemplateStore(kept: DocumentStore<'service_template'>) {
  return {
    ...kept,
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
