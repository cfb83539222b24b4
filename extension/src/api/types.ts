/**
 * The server's records, by the names that the panels call them.
 */
import type { components } from '../generated/schema';

type Schemas = components['schemas'];

export type IProject = Schemas['ProjectInfo'];
export type IBranch = Schemas['Status'];
export type IChangedFile = Schemas['ChangedFile'];
export type ChangeState = IChangedFile['state'];
export type IRun = Schemas['RunRecord'];
export type IModel = Schemas['Model'];
export type IModelVersion = Schemas['Version'];
export type IFeature = Schemas['FeatureEntry'];
export type ISource = Schemas['SourceInfo'];
export type IReport = Schemas['SourceReport'];

/** A stored number. JSON has none for three of them, so the server says these in words. */
export type Metrics = IRun['metrics'];
export type Metric = Metrics[string];
