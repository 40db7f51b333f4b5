"""PPO clipped policy loss with value and entropy terms; advantages are reward-to-go minus baseline."""
import numpy as np


def discount_cumsum(rewards, gamma):
    returns = np.zeros_like(rewards)
    running = 0.0
    for t in reversed(range(len(rewards))):
        running = rewards[t] + gamma * running
        returns[t] = running
    return returns


def log_softmax(x):
    x = x - np.max(x, axis=-1, keepdims=True)
    return x - np.log(np.sum(np.exp(x), axis=-1, keepdims=True))


def reinforce_loss(logp, adv):
    return -(logp * adv).mean()


def ppo_loss(logp, logp_old, adv, clip):
    ratio = np.exp(logp - logp_old)
    return -np.minimum(ratio * adv, np.clip(ratio, 1 - clip, 1 + clip) * adv).mean()


def loss(obs: "T O", act: "int T", rewards: "T", logp_old: "T", baseline: "T",
         W: "O H", b: "H", W_pi: "H A", b_pi: "A", w_v: "H", b_v: "",
         gamma=0.99, clip=0.2, vf_coef=0.5, ent_coef=0.01, use_ppo=True):
    ret = discount_cumsum(rewards, gamma)
    adv = ret - baseline
    adv = (adv - adv.mean()) / (adv.std() + 1e-8)

    h = np.tanh(obs @ W + b)
    logits = log_softmax(h @ W_pi + b_pi)
    logp = logits[np.arange(len(act)), act]
    pi_loss = ppo_loss(logp, logp_old, adv, clip) if use_ppo else reinforce_loss(logp, adv)
    v_loss = 0.5 * ((h @ w_v + b_v - ret) ** 2).mean()
    entropy = -(np.exp(logits) * logits).sum(axis=-1).mean()
    return pi_loss + vf_coef * v_loss - ent_coef * entropy


def example(rng):
    T, O, H, A = 7, 3, 5, 3
    return {
        "obs": rng.normal(size=(T, O)),
        "act": rng.integers(0, A, size=T),
        "rewards": rng.normal(size=T),
        "logp_old": np.log(rng.uniform(0.2, 0.6, size=T)),
        "baseline": rng.normal(size=T),
        "W": rng.normal(size=(O, H)), "b": rng.normal(size=H),
        "W_pi": rng.normal(size=(H, A)), "b_pi": rng.normal(size=A),
        "w_v": rng.normal(size=H), "b_v": 0.2,
    }
