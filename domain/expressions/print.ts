import type { Comparison, Rank, Requirement, Scalar } from './syntax.js';

/** The text of a requirement, with brackets around every joint within another: it reads the same to everybody. */
export function printRequirement(requirement: Requirement): string {
  switch (requirement.kind) {
    case 'compare':
      return printComparison(requirement);
    case 'not':
      return `!${requirement.of.kind === 'not' ? printRequirement(requirement.of) : `(${printRequirement(requirement.of)})`}`;
    case 'and':
    case 'or':
      return requirement.of
        .map((part) =>
          part.kind === 'and' || part.kind === 'or' ? `(${printRequirement(part)})` : printRequirement(part),
        )
        .join(requirement.kind === 'and' ? ' & ' : ' | ');
  }
}

export const printComparison = ({ name, op, value }: Comparison): string =>
  `${printName(name)} ${op} ${printScalar(value)}`;

/** The text of a rank, with brackets around every operation within another. */
export function printRank(rank: Rank): string {
  switch (rank.kind) {
    case 'number':
      return String(rank.value);
    case 'name':
      return printName(rank.name);
    case 'negate':
      return `-${printPart(rank.of)}`;
    case 'arithmetic':
      return `${printPart(rank.left)} ${rank.op} ${printPart(rank.right)}`;
  }
}

const printPart = (rank: Rank): string => (rank.kind === 'arithmetic' ? `(${printRank(rank)})` : printRank(rank));

const printName = (name: string): string => (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : quote(name));
const printScalar = (value: Scalar): string => (typeof value === 'number' ? String(value) : quote(value));
const quote = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;
