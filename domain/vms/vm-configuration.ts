import { type ConfiguredSection, configurable, type VmConfiguration } from '../../schemas/vms/vm-configuration.js';
import { type Attributes, isAttributes } from './template-values.js';

/** What a section keeps of what it has although it is replaced: what cannot be changed so. */
function fixedIn(section: ConfiguredSection, present: unknown): Attributes {
  const names: readonly string[] | null = configurable[section];
  if (names === null || !isAttributes(present)) return {};
  return Object.fromEntries(Object.entries(present).filter(([name]) => !names.includes(name)));
}

/**
 * The template of a VM with another configuration. Replaced as OpenNebula does it: a section that is not named is taken away, but for
 * CONTEXT, and one that is named is what it is said to be, but for those of its attributes that cannot be changed. `append`: what is named goes over
 * what there is, and all else stays.
 */
export function configured(template: Attributes, wish: VmConfiguration, append: boolean): Record<string, unknown> {
  const after: Record<string, unknown> = { ...template };
  for (const section of configuredSections) {
    const named = wish[section];
    const present = template[section];
    if (named === undefined && (append || section === 'CONTEXT')) continue;
    const kept = append && isAttributes(present) ? present : fixedIn(section, present);
    const made = { ...kept, ...named };
    if (Object.keys(made).length > 0) after[section] = made;
    else delete after[section];
  }
  return after;
}

const isSection = (name: string): name is ConfiguredSection => Object.hasOwn(configurable, name);
const configuredSections = Object.keys(configurable).filter(isSection);
