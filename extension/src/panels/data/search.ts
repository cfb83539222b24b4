/**
 * What the panel shows: the things of the catalogue that fit, how many there are of each kind, the
 * one that is open.
 */
import { IDisposable } from '@lumino/disposable';

import { api, ask } from '../../api/client';
import { Pages } from '../../api/pages';
import { Resource } from '../../api/resource';
import { ICatalogueDetail, ICatalogueRow, IKindCount } from '../../api/types';
import { Filter } from '../../ui/filter';
import { Workbench } from '../../workbench';

export type Kind = ICatalogueRow['kind'];

/** The kinds in the order that they are shown. Features have a panel of their own. */
export const KINDS = ['source', 'dataset', 'view', 'function', 'model'] as const;

/** The words, and the kind; every kind if empty. */
export interface IAsked {
  readonly text: string;
  readonly kind: Kind | '';
}

/** What one comes for; and what is shown at first. */
const FIRST: IAsked = { text: '', kind: 'source' };

const PAGE = 50;

export class CatalogueSearch implements IDisposable {
  constructor(private readonly _workbench: Workbench) {}

  readonly filter: Filter<IAsked> = new Filter(FIRST, () => this.load());

  readonly things: Pages<ICatalogueRow> = new Pages((cursor, signal) => {
    const { text, kind } = this.filter.value;
    const { path } = this._workbench;
    return ask(
      api.GET('/catalogue', {
        params: { query: { path, q: text, kind, cursor, limit: PAGE } },
        signal
      })
    );
  });

  readonly counts: Resource<readonly IKindCount[]> = new Resource(signal => {
    const query = { path: this._workbench.path, q: this.filter.value.text };
    return ask(api.GET('/catalogue/counts', { params: { query }, signal }));
  });

  /** The thing that is open; it is read anew whenever one is opened. */
  readonly opened: Filter<{ readonly thing: ICatalogueRow | null }> = new Filter(
    { thing: null as ICatalogueRow | null },
    () => {
      this.detail.clear();
      if (this.opened.value.thing) {
        void this.detail.load();
      }
    }
  );

  readonly detail: Resource<ICatalogueDetail> = new Resource(signal => {
    const { kind, name } = this.opened.value.thing!;
    return ask(
      api.GET('/catalogue/{kind}/{name}', {
        params: { path: { kind, name }, query: { path: this._workbench.path } },
        signal
      })
    );
  });

  get isDisposed(): boolean {
    return this.things.isDisposed;
  }

  async load(): Promise<void> {
    const isOpen = this.opened.value.thing !== null;
    await Promise.all([
      this.things.load(),
      this.counts.load(),
      isOpen ? this.detail.load() : null
    ]);
  }

  clear(): void {
    this.filter.clear();
    this.opened.set({ thing: null });
    this.things.clear();
    this.counts.clear();
  }

  dispose(): void {
    [this.filter, this.opened, this.things, this.counts, this.detail].forEach(one =>
      one.dispose()
    );
  }
}

/** What tells a thing from all others. */
export function keyOf(thing: { readonly kind: Kind; readonly name: string }): string {
  return `${thing.kind}:${thing.name}`;
}
