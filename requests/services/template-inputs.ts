import type { Caller } from '../../domain/identity/caller.js';
import { templateForm } from '../../domain/services/template-form.js';
import type { TemplateInputs } from '../../schemas/services/template-inputs.js';
import { authorised } from '../authorise.js';
import type { OperationsContext } from '../context.js';

/** What a template asks for when it is instantiated. */
export async function listTemplateInputs(
  { store }: OperationsContext,
  caller: Caller,
  id: number,
): Promise<TemplateInputs> {
  const found = await store.serviceTemplates.find(id);
  return { items: templateForm(authorised(caller, 'service_template', found, 'use', id).body) };
}
