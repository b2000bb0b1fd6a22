/** Agents that search policies, static and by input. @module search */

export {
  defineAgent,
  type InputAgent,
  type InputAgentDefinition,
  type InputLearner,
  type InputSearchOptions,
  type InputSearchResult,
  type SearchAgent,
  type Select,
  type StaticAgent,
  type StaticAgentDefinition,
  type StaticSearchOptions,
  type StaticSearchResult,
} from '../search/agent.js';
export { type DdpgOptions, ddpgWith } from '../search/agents/ddpg.js';
export { type GateOptions, gateWith } from '../search/agents/gate.js';
export { agentNamed, agentsOf } from '../search/agents/index.js';
export { type PpoOptions, ppoWith } from '../search/agents/ppo.js';
export {
  BASELINES,
  type ControlOptions,
  evaluateControls,
  freshAttacker,
  type InputControls,
} from '../search/controls.js';
export { Environment, type Found, type HistoryPoint, type SearchProgress } from '../search/environment.js';
export { InputEnvironment, type InputEnvironmentOptions } from '../search/input_environment.js';
export { INPUT_DEPENDENT, type InputPairOptions, type InputPairResult, learnInputPair } from '../search/input_pair.js';
export { InputPolicy } from '../search/input_policy.js';
export { type InputPolicyJson, inputPolicyFromJson, inputPolicyToJson } from '../search/input_policy_json.js';
export {
  Judge,
  type Objective,
  regretOf,
  type Score,
  type Scorer,
  signOf,
} from '../search/judge.js';
export {
  DETRIMENTAL_PAIR,
  learnPair,
  type PairCandidate,
  type PairOptions,
  type PairRecipe,
  type PairRound,
  ROBUST_PAIR,
  type StaticPairResult,
} from '../search/pair.js';
export { type BitsResult, InputPolicyRunner } from '../search/runner.js';
export {
  type AgentReport,
  type InputSearchReport,
  type SearchByInputOptions,
  type SearchReport,
  type SearchStaticOptions,
  searchPolicy,
} from '../search/search.js';
export type { ActivationBudget, NodeSchemes } from '../search/space.js';
