/**
 * MLflow's filter language, as far as completing it takes: what may stand where the cursor is.
 */
import { IRunFacets } from '../../api/types';

/** A way to go on: what to put in place of the text from `from` to the cursor. */
export interface ICompletion {
  readonly from: number;
  readonly text: string;
  /** What it is: a kind of field, or how many runs have it. */
  readonly detail: string;
}

type Expected =
  | { readonly kind: 'field' | 'and' }
  | { readonly kind: 'value'; readonly field: string }
  /** `begun` is what of an operator of several words is there: `IS NOT`. */
  | { readonly kind: 'operator'; readonly field: string; readonly begun: string };

interface IToken {
  readonly text: string;
  readonly from: number;
}

const TOKEN = /'[^']*'?|"[^"]*"?|[\w.]*`[^`]*`?|[!<>=]+|[(),]|[^\s'"`!<>=(),]+/g;
const PLAIN = /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/;

const NUMERIC = ['>', '>=', '<', '<=', '=', '!='];
const TEXTUAL = ['=', '!=', 'LIKE', 'ILIKE'];
const ATTRIBUTES = [
  'status',
  'start_time',
  'end_time',
  'run_name',
  'user_id',
  'run_id'
];
const TIMES = ['start_time', 'end_time'];
const DATASET = ['dataset.name', 'dataset.digest', 'dataset.context'];
const STATUSES = ['FINISHED', 'FAILED', 'RUNNING', 'KILLED', 'SCHEDULED'];

const MOST = 50;

/** Say how the text before the cursor can go on, the likeliest first. */
export function complete(before: string, facets: IRunFacets): readonly ICompletion[] {
  const tokens = tokenise(before);
  const last = tokens[tokens.length - 1];
  const isTouched =
    last !== undefined && last.from + last.text.length === before.length;
  const partial = isTouched && !/^[(,]$/.test(last.text) ? last : null;
  const from = partial?.from ?? before.length;
  const typed = partial?.text ?? '';
  const expected = expectedAfter(partial ? tokens.slice(0, -1) : tokens);
  const options = optionsFor(expected, facets);
  return options
    .map(option => ({ option, rank: rank(option[0], typed) }))
    .filter(({ option, rank }) => rank < Infinity && option[0] !== typed)
    .sort((one, two) => one.rank - two.rank)
    .slice(0, MOST)
    .map(({ option: [text, detail] }) => ({ from, text, detail }));
}

function tokenise(text: string): readonly IToken[] {
  return [...text.matchAll(TOKEN)].map(found => ({
    text: found[0],
    from: found.index
  }));
}

function expectedAfter(tokens: readonly IToken[]): Expected {
  let expected: Expected = { kind: 'field' };
  for (const { text } of tokens) {
    expected = next(expected, text);
  }
  return expected;
}

function next(expected: Expected, text: string): Expected {
  const word = text.toUpperCase();
  switch (expected.kind) {
    case 'field':
      return { kind: 'operator', field: text, begun: '' };
    case 'operator':
      return ['NOT', 'IS'].includes(word)
        ? { ...expected, begun: `${expected.begun}${word} ` }
        : word === 'NULL'
          ? { kind: 'and' }
          : { kind: 'value', field: expected.field };
    case 'value':
      // A list in brackets ends with its bracket.
      return /^[(,]$/.test(text) ? expected : { kind: 'and' };
    case 'and':
      return word === 'AND'
        ? { kind: 'field' }
        : /^[(,]$/.test(text)
          ? { kind: 'value', field: '' }
          : { kind: 'and' };
  }
}

type Option = readonly [text: string, detail: string];

function optionsFor(expected: Expected, facets: IRunFacets): readonly Option[] {
  switch (expected.kind) {
    case 'field':
      return fields(facets);
    case 'operator':
      return operators(expected.field)
        .filter(text => text.startsWith(expected.begun))
        .map(text => [text.slice(expected.begun.length), ''] as const);
    case 'value':
      return values(expected.field, facets);
    case 'and':
      return [['and', '']];
  }
}

function fields(facets: IRunFacets): readonly Option[] {
  const of = (kind: string, counts: Readonly<Record<string, number>>): Option[] =>
    Object.entries(counts).map(([key, count]) => [quoted(kind, key), String(count)]);
  return [
    ...of('metrics', facets.metrics),
    ...of('params', facets.params),
    ...ATTRIBUTES.map(name => [name, ''] as const),
    ...of('tags', facets.tags),
    ...DATASET.map(name => [name, ''] as const)
  ];
}

/** Write a field of this kind, in backticks where its name needs them. */
export function quoted(kind: string, key: string): string {
  return PLAIN.test(key) ? `${kind}.${key}` : `${kind}.\`${key}\``;
}

function operators(field: string): readonly string[] {
  if (isNumeric(field)) {
    return NUMERIC;
  }
  return /^(params?|tags?|parameters?)\./.test(field)
    ? [...TEXTUAL, 'IS NULL', 'IS NOT NULL']
    : /^(datasets?\.|run_id)/.test(field)
      ? [...TEXTUAL, 'IN', 'NOT IN']
      : TEXTUAL;
}

function isNumeric(field: string): boolean {
  return (
    /^metrics?\./.test(field) || TIMES.includes(field.replace(/^attributes?\./, ''))
  );
}

function values(field: string, facets: IRunFacets): readonly Option[] {
  const name = field.replace(/^(attributes?|tags?)\./, '').replace(/`/g, '');
  const of = (counts: Readonly<Record<string, number>>): Option[] =>
    Object.entries(counts)
      .filter(([value]) => !value.includes("'"))
      .map(([value, count]) => [`'${value}'`, String(count)]);
  switch (name) {
    case 'status':
      return STATUSES.map(
        status => [`'${status}'`, String(facets.statuses[status] ?? 0)] as const
      );
    case 'user_id':
    case 'mlflow.user':
      return of(facets.users);
    case 'mlflow.source.git.branch':
      return of(facets.branches);
    case 'mlflow.source.name':
      return of(facets.sources);
    default:
      return [];
  }
}

/** How well an option fits what was typed: its beginning, a part's beginning, somewhere, not. */
function rank(option: string, typed: string): number {
  const [whole, part] = [option.toLowerCase(), typed.toLowerCase()];
  if (!part || whole.startsWith(part)) {
    return 0;
  }
  if (/[.\s'`]/.test(part) && !whole.includes(part)) {
    return Infinity;
  }
  const at = whole.indexOf(part);
  return at < 0 ? Infinity : /[.'`]/.test(whole[at - 1]) ? 1 : 2;
}
