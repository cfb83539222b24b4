/**
 * What the panel shows: the features that fit, how many there are of each kind, the one that is
 * open.
 */
import { IDisposable } from '@lumino/disposable';

import { api, ask } from '../../api/client';
import { Pages } from '../../api/pages';
import { Resource } from '../../api/resource';
import { ICounted, IFeature, IFeatureProfile } from '../../api/types';
import { Filter } from '../../ui/filter';
import { Workbench } from '../../workbench';

/** By what features are narrowed, in the order that they are shown. */
export const FACETS = ['entity', 'tag', 'availability', 'owner'] as const;

export type Facet = (typeof FACETS)[number];

/** The words, and the chosen values by facet. */
export interface IAsked extends Readonly<Record<Facet, readonly string[]>> {
  readonly text: string;
}

const NOTHING: IAsked = { text: '', entity: [], tag: [], availability: [], owner: [] };

const PAGE = 50;

export class FeatureSearch implements IDisposable {
  constructor(private readonly _workbench: Workbench) {}

  readonly filter: Filter<IAsked> = new Filter(NOTHING, () => this.load());

  readonly features: Pages<IFeature> = new Pages((cursor, signal) =>
    ask(
      api.GET('/features', {
        params: { query: { ...this._query, cursor, limit: PAGE } },
        signal
      })
    )
  );

  readonly counts: Resource<ICounted> = new Resource(signal =>
    ask(api.GET('/features/counts', { params: { query: this._query }, signal }))
  );

  /** The feature that is open; it is read anew whenever one is opened. */
  readonly opened: Filter<{ readonly name: string | null }> = new Filter(
    { name: null as string | null },
    () => {
      this.profile.clear();
      if (this.opened.value.name !== null) {
        void this.profile.load();
      }
    }
  );

  readonly profile: Resource<IFeatureProfile> = new Resource(signal =>
    ask(
      api.GET('/features/{name}', {
        params: {
          path: { name: this.opened.value.name ?? '' },
          query: { path: this._workbench.path }
        },
        signal
      })
    )
  );

  get isDisposed(): boolean {
    return this.features.isDisposed;
  }

  async load(): Promise<void> {
    const isOpen = this.opened.value.name !== null;
    await Promise.all([
      this.features.load(),
      this.counts.load(),
      isOpen ? this.profile.load() : null
    ]);
  }

  /** Choose a value of a facet, or no longer. */
  toggle(facet: Facet, value: string): void {
    const chosen = this.filter.value[facet];
    const others = chosen.filter(one => one !== value);
    this.filter.set({
      [facet]: others.length < chosen.length ? others : [...chosen, value]
    });
  }

  /** Choose nothing; the words stay. */
  chooseNothing(): void {
    this.filter.set({ ...NOTHING, text: this.filter.value.text });
  }

  clear(): void {
    this.filter.clear();
    this.opened.set({ name: null });
    this.features.clear();
    this.counts.clear();
  }

  dispose(): void {
    [this.filter, this.opened, this.features, this.counts, this.profile].forEach(one =>
      one.dispose()
    );
  }

  private get _query() {
    const { text, entity, tag, availability, owner } = this.filter.value;
    return {
      path: this._workbench.path,
      q: text,
      entity: [...entity],
      tag: [...tag],
      availability: [...availability],
      owner: [...owner]
    };
  }
}
