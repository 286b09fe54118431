import { decidedBy } from '../../domain/operations/asker.js';
import { namespaces } from '../../schemas/config.js';
import { kinds } from '../../schemas/kinds.js';
import {
  isDeviceChange,
  isDiskSave,
  isExport,
  isPerformance,
  isSwitch,
  type Operation,
} from '../../schemas/operations/operation.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import { Answer } from '../../schemas/operations/question.js';
import type { OperationsContext } from '../context.js';
import { iso, isoOrNull } from '../resources.js';

/** Where the resource of an operation is seen; what a consistency check came to, for one. */
const hrefOf = ({ _id, resource }: Operation): string =>
  `/api/v1${kinds[resource.type].path}/${resource.type === 'zone' ? _id : resource.id}`;

const actionOf = (operation: Operation): OperationResource['action'] =>
  isPerformance(operation) || isSwitch(operation)
    ? operation.input.action
    : isDeviceChange(operation)
      ? operation.input.change.action
      : null;

/** What images of an app come with: of a service its own template says which VM templates. */
function comesWith({ input: { vm_templates, service_template } }: Operation<'exportApp'>) {
  if (service_template !== null) return { service_template_id: service_template };
  const [vm_template_id] = vm_templates;
  return vm_template_id === undefined ? {} : { vm_template_id };
}

export function operationResource(
  operation: Operation,
  {
    temporalUiUrl,
    temporalNamespace = namespaces.operations,
  }: Pick<OperationsContext['settings'], 'temporalUiUrl' | 'temporalNamespace'>,
): OperationResource {
  const { resource } = operation;
  const workflowId = operation.workflow_id;
  const run = operation.run_id === null ? '' : `/${operation.run_id}/history`;
  return {
    id: operation._id,
    type: operation.kind,
    action: actionOf(operation),
    state: operation.state,
    resource: { ...resource, name: operation.resource_name, href: hrefOf(operation) },
    role: operation.role ?? null,
    requester: operation.requester,
    decided_by: decidedBy(operation),
    waiting_for: operation.waiting_for,
    ...(isDiskSave(operation) && { image_id: operation.input.image }),
    ...(isExport(operation) && comesWith(operation)),
    ...(operation.warnings && { warnings: operation.warnings }),
    error: operation.error,
    question: operation.question && {
      ...operation.question,
      answers: [...Answer.options],
      asked_at: iso(operation.question.asked_at),
    },
    cancel_requested: operation.cancel_requested && {
      by: operation.cancel_requested.by,
      at: iso(operation.cancel_requested.at),
    },
    retry_of: operation.retry_of,
    workflow: {
      id: workflowId,
      run_id: operation.run_id,
      url:
        temporalUiUrl === undefined
          ? null
          : `${temporalUiUrl.replace(/\/$/, '')}/namespaces/${temporalNamespace}/workflows/${encodeURIComponent(workflowId)}${run}`,
    },
    created_at: iso(operation.created_at),
    started_at: isoOrNull(operation.started_at),
    ended_at: isoOrNull(operation.ended_at),
  };
}
