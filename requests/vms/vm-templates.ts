import { isDeepStrictEqual } from 'node:util';
import { measureVmTemplate } from '../../domain/bounds.js';
import type { Caller } from '../../domain/identity/caller.js';
import { allowed } from '../../domain/identity/permissions.js';
import { Problem } from '../../domain/problems.js';
import { listed } from '../../domain/words.js';
import { capital } from '../../schemas/common/capital.js';
import { calledOf, counted } from '../../schemas/common/counted.js';
import { kinds } from '../../schemas/kinds.js';
import type { CreateVmTemplate, VmTemplate, VmTemplateBody } from '../../schemas/vms/vm-template.js';
import { filesAmiss } from '../../store/vms/file-images.js';
import { subjectOf } from '../authorise.js';
import type { OperationsContext } from '../context.js';
import { refuseNames } from '../identity/refuse-names.js';
import { managed } from '../managed.js';
import { refuseBeyond } from '../refuse-beyond.js';
import { namesFor, vmTemplateResource } from '../resources.js';
import { refuseUnreadable } from './refuse-expressions.js';
import { refuseRaw } from './refuse-raw.js';

export const vmTemplates = (context: OperationsContext) => {
  const { store, directory } = context;
  const check = (caller: Caller, { template }: Template, before?: Template): void => {
    refuseRaw(caller, template, '/template', before?.template);
    refuseNames(template, '/template', before?.template);
    refuseBeyond(measureVmTemplate(template, '/template'), before && measureVmTemplate(before.template, '/template'));
    refuseUnreadable(template, '/template', before?.template);
  };
  /** What stays as it was is not judged again. */
  const checkFiles = async (caller: Caller, { template }: Template, before?: Template): Promise<void> => {
    const changed = Object.fromEntries(
      (['CONTEXT', 'OS'] as const).flatMap((name) =>
        isDeepStrictEqual(template[name], before?.template[name]) ? [] : [[name, template[name]]],
      ),
    );
    const amiss = await filesAmiss({ images: store.images, users: directory.users }, changed, caller);
    const [first] = amiss;
    if (first !== undefined)
      throw new Problem('invalid_request', `Its VMs could not have these files: ${first}.`, {
        findings: amiss.map((detail) => ({ pointer: `/template/${detail.split(/[ :]/)[0]}`, detail })),
      });
  };

  return managed(context, 'vm_template', {
    ...store.vmTemplates,
    async shown(caller, templates) {
      const names = await namesFor(directory, caller, templates);
      return templates.map((template) => vmTemplateResource(template, names));
    },
    make: async (caller, wish: { name: string; template: VmTemplateBody }) => {
      check(caller, wish);
      await checkFiles(caller, wish);
      return (base): VmTemplate => ({ ...base, template: wish.template });
    },
    editable: ({ name, template }): CreateVmTemplate => ({ name, template }),
    async change(caller, wish, present, transaction) {
      check(caller, wish, present);
      await checkFiles(caller, wish, present);
      return store.vmTemplates.replace(present._id, wish, transaction);
    },
    async remove(caller, { _id: id, uid }, transaction) {
      // Those of others keep nobody from removing what is his: whoever may use it could else keep it for ever.
      const using = await store.serviceTemplates.ofOwnerUsing(id, uid, transaction);
      if (using) throw inUse(id, allowed(caller, subjectOf('service_template', using), 'use') ? using : null);
      const { count, first } = await store.services.usingVmTemplate(id, mostNamed, transaction);
      if (count > 0)
        throw usedByServices(
          id,
          count,
          first.filter((service) => allowed(caller, subjectOf('service', service), 'use')),
        );
      await store.vmTemplates.remove(id, transaction);
    },
  });
};

type Template = { template: VmTemplateBody };

/** `using`: a service template of the same owner that the caller may see; null: he may not. */
const inUse = (id: number, using: { _id: number; name: string } | null): Problem =>
  new Problem(
    'in_use',
    using
      ? `Service template ${using._id} (${using.name}) uses VM template ${id}. Change or delete that first.`
      : `A service template of its owner uses VM template ${id}. Ask him to change or delete that first.`,
  );

/** How many services a refusal names. */
const mostNamed = 10;

/** Services make VMs of it when they are repaired or recovered. `seen`: those that the caller may see. */
function usedByServices(id: number, count: number, seen: readonly { _id: number; name: string }[]): Problem {
  const others = count - seen.length;
  const named = seen.map((service) => `${service._id} (${service.name})`);
  const who =
    seen.length === 0
      ? `${counted(count, kinds.service)} of others ${count === 1 ? 'uses' : 'use'}`
      : `${capital(calledOf(count, kinds.service))} ${listed([...named, ...(others > 0 ? [`${others} more`] : [])])} ${count === 1 ? 'uses' : 'use'}`;
  return new Problem('in_use', `${who} VM template ${id}. Undeploy or delete what uses it first.`);
}
