/* Gradient descent on a line, in float32, keeping params and loss at every step.

   Writes steps + 1 numbers to each of weights, biases and losses, the first state
   included: what statecore.regression.History holds. */

void train(long long steps, long long points, const float *x, const float *y,
           float weight, float bias, float learning_rate,
           float *weights, float *biases, float *losses)
{
    const float size = (float)points;

    for (long long step = 0; step <= steps; step++) {
        float loss = 0.0f, weight_grad = 0.0f, bias_grad = 0.0f;

        for (long long i = 0; i < points; i++) {
            const float error = weight * x[i] + bias - y[i];
            loss += error * error;
            weight_grad += error * x[i];
            bias_grad += error;
        }
        weights[step] = weight;
        biases[step] = bias;
        losses[step] = loss / size;
        weight -= learning_rate * 2.0f * weight_grad / size;
        bias -= learning_rate * 2.0f * bias_grad / size;
    }
}
