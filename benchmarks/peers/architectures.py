"""Decoders, encoders and image models with LoRA in plain PyTorch, for train_step.py.

Each class is one architecture: `prepare` makes a padded batch once, `loss` is the mean loss of it. They are written the fast way that PyTorch has: padding
on the right needs no mask under a causal one, query heads that share a key head are stacked instead of repeating keys, scale and mask ride in the score
product, the low-rank product adds in place of a separate sum, logits exist only where they count.
"""
import torch
import torch.nn.functional as F


class Model:
    def __init__(self, config, weights, factors, lora_scale):
        self.config, self.weights, self.factors, self.lora_scale = config, weights, factors, lora_scale

    def linear(self, x, name, transposed=False):
        weight, bias = self.weights[name + ".weight"], self.weights.get(name + ".bias")
        if weight.dim() == 4:
            weight = weight.flatten(1)
        y = F.linear(x, weight.t() if transposed else weight, bias)
        low = self.factors.get(f"base_model.model.{name}.lora_A.weight")
        if low is None:
            return y
        return torch.addmm(y, F.linear(x, low), self.factors[f"base_model.model.{name}.lora_B.weight"].t(), alpha=self.lora_scale)

    def rms_norm(self, x, name):
        return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + self.eps) * self.weights[name + ".weight"]

    def layer_norm(self, x, name):
        return F.layer_norm(x, x.shape[-1:], self.weights[name + ".weight"], self.weights[name + ".bias"], self.eps)

    def embed(self, ids, name):
        return self.weights[name + ".weight"].index_select(0, ids)

    def attend(self, q, k, v, mask):
        """(rows, length, heads, width) each, heads of q a multiple; mask is added to the stacked scores, (rows * key heads or 1, group * length or 1, length)."""
        rows, length, heads, width = q.shape
        key_heads = k.shape[2]
        group = heads // key_heads
        q = q.reshape(rows, length, key_heads, group, width).permute(0, 2, 3, 1, 4).reshape(rows * key_heads, group * length, width)
        k = k.permute(0, 2, 3, 1).reshape(rows * key_heads, width, length)
        v = v.transpose(1, 2).reshape(rows * key_heads, length, width)
        scores = torch.bmm(q * width ** -0.5, k) if mask is None else torch.baddbmm(mask, q, k, alpha=width ** -0.5)
        mixed = torch.bmm(F.softmax(scores, dim=-1), v)
        return mixed.view(rows, key_heads, group, length, width).permute(0, 3, 1, 2, 4).reshape(rows * length, heads * width)


class Decoder(Model):
    """Predicts each token from those before it."""

    window = None

    def prepare(self, sequences):
        length = max(len(sequence) for sequence in sequences)
        ids = torch.zeros(len(sequences), length, dtype=torch.long)
        positions, targets = [], []
        for row, sequence in enumerate(sequences):
            ids[row, : len(sequence)] = torch.tensor(sequence)
            positions += range(row * length, row * length + len(sequence) - 1)
            targets += sequence[1:]
        mask = torch.full((length, length), float("-inf")).triu(1)
        if self.window:
            mask = mask + torch.full((length, length), float("-inf")).tril(-self.window)
        batch = {
            "shape": ids.shape, "ids": ids.view(-1), "positions": torch.tensor(positions), "targets": torch.tensor(targets),
            "mask": mask.repeat(self.heads // self.key_heads, 1).unsqueeze(0), "units": sum(len(sequence) for sequence in sequences),
        }
        if self.rotated:
            frequencies = 1.0 / (self.theta ** (torch.arange(0, self.rotated, 2).float() / self.rotated))
            angles = torch.outer(torch.arange(length).float(), frequencies)
            angles = torch.cat((angles, angles), dim=-1).unsqueeze(1)
            batch["cos"], batch["sin"] = angles.cos(), angles.sin()
        return batch

    def rotate(self, x, batch):
        part = x if self.rotated == x.shape[-1] else x[..., : self.rotated]
        half = self.rotated // 2
        turned = part * batch["cos"] + torch.cat((-part[..., half:], part[..., :half]), dim=-1) * batch["sin"]
        return turned if part is x else torch.cat((turned, x[..., self.rotated:]), dim=-1)

    def loss(self, batch):
        hidden = self.blocks(batch).index_select(0, batch["positions"])
        return F.cross_entropy(self.logits(self.last_norm(hidden)), batch["targets"])


class Llama(Decoder):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        config = self.config
        self.eps, self.theta, self.heads, self.key_heads = config["rms_norm_eps"], config["rope_theta"], config["num_attention_heads"], config["num_key_value_heads"]
        self.width = self.rotated = config["hidden_size"] // self.heads
        self.window = config.get("sliding_window")

    def blocks(self, batch):
        rows, length = batch["shape"]
        x = self.embed(batch["ids"], "model.embed_tokens")
        for layer in range(self.config["num_hidden_layers"]):
            name = f"model.layers.{layer}."
            h = self.rms_norm(x, name + "input_layernorm")
            q = self.rotate(self.linear(h, name + "self_attn.q_proj").view(rows, length, self.heads, self.width), batch)
            k = self.rotate(self.linear(h, name + "self_attn.k_proj").view(rows, length, self.key_heads, self.width), batch)
            v = self.linear(h, name + "self_attn.v_proj").view(rows, length, self.key_heads, self.width)
            x = x + self.linear(self.attend(q, k, v, batch["mask"]), name + "self_attn.o_proj")
            h = self.rms_norm(x, name + "post_attention_layernorm")
            x = x + self.linear(F.silu(self.linear(h, name + "mlp.gate_proj")) * self.linear(h, name + "mlp.up_proj"), name + "mlp.down_proj")
        return x

    def last_norm(self, x):
        return self.rms_norm(x, "model.norm")

    def logits(self, x):
        return self.linear(x, "lm_head")


class Gpt2(Decoder):
    rotated = 0

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.eps, self.heads = self.config["layer_norm_epsilon"], self.config["n_head"]
        self.key_heads = self.heads

    def blocks(self, batch):
        rows, length = batch["shape"]
        x = (self.embed(batch["ids"], "transformer.wte").view(rows, length, -1) + self.weights["transformer.wpe.weight"][:length]).view(rows * length, -1)
        for layer in range(self.config["n_layer"]):
            name = f"transformer.h.{layer}."
            q, k, v = self.linear(self.layer_norm(x, name + "ln_1"), name + "attn.c_attn", transposed=True).view(rows, length, 3, self.heads, -1).unbind(2)
            x = x + self.linear(self.attend(q, k, v, batch["mask"]), name + "attn.c_proj", transposed=True)
            h = F.gelu(self.linear(self.layer_norm(x, name + "ln_2"), name + "mlp.c_fc", transposed=True), approximate="tanh")
            x = x + self.linear(h, name + "mlp.c_proj", transposed=True)
        return x

    def last_norm(self, x):
        return self.layer_norm(x, "transformer.ln_f")

    def logits(self, x):
        return F.linear(x, self.weights["transformer.wte.weight"])


class GptNeoX(Decoder):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        config = self.config
        self.eps, self.theta, self.heads = config["layer_norm_eps"], config["rotary_emb_base"], config["num_attention_heads"]
        self.key_heads = self.heads
        self.rotated = int(config["hidden_size"] // self.heads * config["rotary_pct"])

    def blocks(self, batch):
        rows, length = batch["shape"]
        x = self.embed(batch["ids"], "gpt_neox.embed_in")
        for layer in range(self.config["num_hidden_layers"]):
            name = f"gpt_neox.layers.{layer}."
            q, k, v = self.linear(self.layer_norm(x, name + "input_layernorm"), name + "attention.query_key_value").view(rows, length, self.heads, 3, -1).unbind(3)
            attended = self.linear(self.attend(self.rotate(q, batch), self.rotate(k, batch), v, batch["mask"]), name + "attention.dense")
            h = F.gelu(self.linear(self.layer_norm(x, name + "post_attention_layernorm"), name + "mlp.dense_h_to_4h"))
            x = x + attended + self.linear(h, name + "mlp.dense_4h_to_h")
        return x

    def last_norm(self, x):
        return self.layer_norm(x, "gpt_neox.final_layer_norm")

    def logits(self, x):
        return self.linear(x, "embed_out")


class Phi(Decoder):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        config = self.config
        self.eps, self.theta, self.heads, self.key_heads = config["layer_norm_eps"], config["rope_theta"], config["num_attention_heads"], config["num_key_value_heads"]
        self.width = config["hidden_size"] // self.heads
        self.rotated = int(self.width * config["partial_rotary_factor"])

    def blocks(self, batch):
        rows, length = batch["shape"]
        x = self.embed(batch["ids"], "model.embed_tokens")
        for layer in range(self.config["num_hidden_layers"]):
            name = f"model.layers.{layer}."
            h = self.layer_norm(x, name + "input_layernorm")
            q = self.rotate(self.linear(h, name + "self_attn.q_proj").view(rows, length, self.heads, self.width), batch)
            k = self.rotate(self.linear(h, name + "self_attn.k_proj").view(rows, length, self.key_heads, self.width), batch)
            v = self.linear(h, name + "self_attn.v_proj").view(rows, length, self.key_heads, self.width)
            attended = self.linear(self.attend(q, k, v, batch["mask"]), name + "self_attn.dense")
            x = x + attended + self.linear(F.gelu(self.linear(h, name + "mlp.fc1"), approximate="tanh"), name + "mlp.fc2")
        return x

    def last_norm(self, x):
        return self.layer_norm(x, "model.final_layernorm")

    def logits(self, x):
        return self.linear(x, "lm_head")


class Bert(Model):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.eps, self.heads = self.config["layer_norm_eps"], self.config["num_attention_heads"]

    def prepare(self, sequences):
        rows, length = len(sequences), max(len(sequence) for sequence in sequences)
        ids = torch.zeros(rows, length, dtype=torch.long)
        mask = torch.full((rows, length), float("-inf"))
        for row, sequence in enumerate(sequences):
            ids[row, : len(sequence)] = torch.tensor(sequence)
            mask[row, : len(sequence)] = 0
        padded = bool((mask < 0).any())
        return {
            "shape": ids.shape, "ids": ids.view(-1), "mask": mask.repeat_interleave(self.heads, 0).unsqueeze(1) if padded else None, "targets": torch.arange(rows),
            "units": sum(len(sequence) for sequence in sequences),
        }

    def loss(self, batch):
        rows, length = batch["shape"]
        table = self.weights["bert.embeddings.position_embeddings.weight"][:length] + self.weights["bert.embeddings.token_type_embeddings.weight"][0]
        x = (self.embed(batch["ids"], "bert.embeddings.word_embeddings").view(rows, length, -1) + table).view(rows * length, -1)
        x = self.layer_norm(x, "bert.embeddings.LayerNorm")
        for layer in range(self.config["num_hidden_layers"]):
            name = f"bert.encoder.layer.{layer}."
            q, k, v = (self.linear(x, f"{name}attention.self.{part}").view(rows, length, self.heads, -1) for part in ("query", "key", "value"))
            x = self.layer_norm(x + self.linear(self.attend(q, k, v, batch["mask"]), name + "attention.output.dense"), name + "attention.output.LayerNorm")
            h = F.gelu(self.linear(x, name + "intermediate.dense"))
            x = self.layer_norm(x + self.linear(h, name + "output.dense"), name + "output.LayerNorm")
        pooled = torch.tanh(self.linear(x.view(rows, length, -1)[:, 0], "bert.pooler.dense"))
        return F.cross_entropy(self.linear(pooled, "classifier"), batch["targets"])


class ImageModel(Model):
    def prepare(self, pixels):
        return {"pixels": pixels, "targets": torch.arange(len(pixels)), "units": len(pixels)}

    def patches(self, pixels, size, name):
        rows, channels, height, width = pixels.shape
        cut = pixels.view(rows, channels, height // size, size, width // size, size).permute(0, 2, 4, 1, 3, 5)
        return self.linear(cut.reshape(-1, channels * size * size), name)


class Vit(ImageModel):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.eps, self.heads = self.config["layer_norm_eps"], self.config["num_attention_heads"]

    def loss(self, batch):
        rows = len(batch["pixels"])
        x = self.patches(batch["pixels"], self.config["patch_size"], "vit.embeddings.patch_embeddings.projection").view(rows, -1, self.config["hidden_size"])
        x = torch.cat((self.weights["vit.embeddings.cls_token"].expand(rows, 1, -1), x), 1) + self.weights["vit.embeddings.position_embeddings"]
        length = x.shape[1]
        x = x.view(rows * length, -1)
        for layer in range(self.config["num_hidden_layers"]):
            name = f"vit.encoder.layer.{layer}."
            h = self.layer_norm(x, name + "layernorm_before")
            q, k, v = (self.linear(h, f"{name}attention.attention.{part}").view(rows, length, self.heads, -1) for part in ("query", "key", "value"))
            x = x + self.linear(self.attend(q, k, v, None), name + "attention.output.dense")
            x = x + self.linear(F.gelu(self.linear(self.layer_norm(x, name + "layernorm_after"), name + "intermediate.dense")), name + "output.dense")
        first = self.layer_norm(x.view(rows, length, -1)[:, 0], "vit.layernorm")
        return F.cross_entropy(self.linear(first, "classifier"), batch["targets"])


class Mixer(ImageModel):
    eps = 1e-6

    def loss(self, batch):
        rows, arguments = len(batch["pixels"]), self.config["model_args"]
        hidden = arguments["embed_dim"]
        x = self.patches(batch["pixels"], arguments["patch_size"][0], "stem.proj").view(rows, -1, hidden)
        count = x.shape[1]
        for layer in range(arguments["num_blocks"]):
            name = f"blocks.{layer}."
            h = self.layer_norm(x, name + "norm1").transpose(1, 2).reshape(-1, count)
            x = x + self.mlp(h, name + "mlp_tokens").view(rows, hidden, count).transpose(1, 2)
            x = x + self.mlp(self.layer_norm(x, name + "norm2").view(-1, hidden), name + "mlp_channels").view(rows, count, hidden)
        return F.cross_entropy(self.linear(self.layer_norm(x, "norm").mean(1), "head"), batch["targets"])

    def mlp(self, x, name):
        return self.linear(F.gelu(self.linear(x, name + ".fc1")), name + ".fc2")


ARCHITECTURES = {
    "llama": Llama, "mistral": Llama, "qwen2": Llama, "gpt2": Gpt2, "gptneox": GptNeoX, "phi": Phi, "bert": Bert, "vit": Vit, "mixer": Mixer,
}
