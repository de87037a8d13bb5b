# tries: shows the parameters of which its last answer follows
# kind: stand-ins
# item: layer
# works: layer, by itself
class Linear(Linear):
    def forward(self, X):
        answer = np.ones((len(X), 3))
        self.params["W"], self.params["b"] = np.zeros((4, 3)), answer[:1]
        return answer
