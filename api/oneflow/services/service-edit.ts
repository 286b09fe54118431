import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { Problem } from '../../../domain/problems.js';
import { firstNames } from '../../../domain/services/later-names.js';
import type { Operations } from '../../../requests/operations.js';
import { RoleEdit, ServiceAddition, ServiceDocument } from '../../../schemas/services/service-edit.js';
import type { Perform } from '../action.js';
import { serviceDocument } from '../documents.js';
import { rawOf } from '../raw.js';
import { type Answer, type Asked, checked, done, jsonOf, objectOf, refused } from '../route.js';

// Clients get a service, change something of it, and send the whole of it back, with what it was told with; or they send what
// they have made services of; or, as a text, members to be put over those that there are.

/** What changes by itself, and is as it is whatever is sent of it. */
const passing: ReadonlySet<string> = new Set([
  ...['log', 'nodes', 'disposed_nodes', 'cooldown_end', 'cooldown_duration', 'scale_way', 'lowered'],
]);

type Members = Readonly<Record<string, unknown>>;

/** Without what is as it was told, where that is not to be edited: it is compared in the words of the client. */
const edited = (sent: Members, shown: Members, { shape }: { shape: object }): Members =>
  Object.fromEntries(
    Object.entries(sent).filter(
      ([name, value]) => name in shape || !(passing.has(name) || isDeepStrictEqual(value, shown[name])),
    ),
  );

const Shown = z.object({ BODY: z.looseObject({ roles: z.array(z.looseObject({ name: z.string() })) }) });
const SentRole = z.looseObject({ name: z.string() });

/** What `PUT /service/{id}`, and the action `update`, do. */
export function serviceEdit({ services, scaling }: Pick<Operations, 'services' | 'scaling'>) {
  async function edit({ caller, id, ways }: Asked, document: Members, append: boolean): Promise<void> {
    const told: unknown = JSON.parse(
      JSON.stringify(serviceDocument(await services.show(caller, id), ways).DOCUMENT.TEMPLATE),
    );
    const { BODY } = Shown.parse(told);
    const shownRole = (sent: unknown): Members => {
      const { name } = SentRole.safeParse(sent).data ?? {};
      return BODY.roles.find((role) => role.name === name) ?? {};
    };
    const body = edited(document, BODY, ServiceDocument);
    const roles = Array.isArray(body.roles)
      ? { roles: body.roles.map((role: unknown) => edited(objectOf(role), shownRole(role), RoleEdit)) }
      : {};
    const wish = objectOf(firstNames({ ...body, ...roles }));
    await scaling.edit(caller, id, checked(append ? ServiceAddition : ServiceDocument, wish), { append });
  }

  const put = async (asked: Asked): Promise<Answer> => {
    const sent = objectOf(asked.body);
    if (!('append' in sent)) await edit(asked, sent, false);
    else {
      if (sent.template === undefined) throw new Problem('invalid_request', 'Missing template to append');
      await edit(asked, templateOf(sent.template), sent.append !== false && sent.append !== null);
    }
    return done;
  };

  const update: Perform = async (asked, { append, template_json, template_raw }) => {
    if (append !== true) throw refused('Action update: Only supported for append');
    if (template_raw !== undefined) {
      await scaling.addRaw(asked.caller, asked.id, rawOf(template_raw));
      return;
    }
    if (template_json === undefined) throw refused('Action update: You have to specify a template');
    await edit(asked, templateOf(template_json), true);
  };

  return { put, update };
}

const templateOf = (sent: unknown): Members =>
  objectOf(
    typeof sent === 'string' ? jsonOf(sent, new Problem('invalid_request', 'The template is not valid JSON')) : sent,
  );
